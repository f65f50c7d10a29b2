//! The child shuts itself in: no more memory, time and files than it was told, nothing opened, no connection.
//!
//! Each measure is taken as far as the system has it; whether they hold is then tried, not believed.

use std::fs::File;
use std::net::TcpListener;

use rlimit::Resource;

use super::protocol::Shelter;

/// Shuts this process in, for good. It must have one thread, and nothing to open any more.
///
/// `memory` is its whole address space in bytes; `cpu` are the seconds it may compute in all, so that one whose parent
/// died does not go on for ever.
pub(super) fn enter(memory: u64, cpu: u64) -> Shelter {
    lower(Resource::CORE, 0);
    lower(Resource::FSIZE, 0);
    lower(Resource::CPU, cpu);
    landlock();
    let landlock = closed();
    // Below the three that are open: there is no number left for another file or socket.
    lower(Resource::NOFILE, 3);
    lower(Resource::AS, memory);
    Shelter {
        memory: Resource::AS.get_soft().is_ok_and(|soft| soft <= memory),
        files: closed(),
        network: TcpListener::bind(("127.0.0.1", 0)).is_err(),
        landlock,
    }
}

/// Where the system refuses, the process goes on without; what holds is tried afterwards.
fn lower(resource: Resource, most: u64) {
    let hard = resource.get_hard().unwrap_or(most).min(most);
    let _ = resource.set(hard, hard);
}

fn closed() -> bool {
    File::open("/").is_err()
}

/// Landlock (Linux 5.13 and later): no path may be opened, and, where the kernel is new enough, no TCP port bound or
/// connected to and no process outside signalled.
#[cfg(target_os = "linux")]
fn landlock() {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, Scope};
    let shut = || {
        let all = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V6))?
            .handle_access(AccessNet::from_all(ABI::V6))?
            .scope(Scope::from_all(ABI::V6))?;
        all.create()?.restrict_self()
    };
    let _ = shut();
}

#[cfg(not(target_os = "linux"))]
fn landlock() {}
