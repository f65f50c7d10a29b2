//! The jobs: take, process, file, remind, report, deliver. Each is one public function that tests call directly.

pub mod alarm;
pub mod answer;
pub mod balance;
pub mod digest;
pub mod file;
pub mod gather;
pub mod marked;
mod open;
pub mod pass;
pub mod post;
pub mod process;
pub mod publish;
pub mod remind;
pub mod schedule;
pub mod take;
pub mod templates;
