//! The demo: an invented district's month, told in mail.

pub mod district;
mod forms;
mod locked;
mod mime;
mod names;
mod organisations;
mod returns;
mod sheets;
pub mod story;
