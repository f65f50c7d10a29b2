//! Whole mails: headers, parts, who wrote them, and what is attached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taizhang_fuzz::message::sender::{Own, authentication, fingerprint, nature};
use taizhang_fuzz::message::{parse, parse::Limits};
use taizhang_fuzz::open;

fuzz_target!(|data: &[u8]| {
    let message = parse(data, &Limits::default());
    let addresses = ["office@district.example".to_owned()];
    nature(&message, &Own { addresses: &addresses, installation: "office@district.example" });
    authentication(&message, Some("mx.district.example"));
    fingerprint(&message.attachments);
    for file in &message.attachments {
        assert!(!file.name.contains(['/', '\\', '\0']), "{:?}", file.name);
        open(&file.name, &file.bytes);
    }
});
