//! The jobs: take, process, file, remind, report, deliver. Each is one public function that tests call directly.

pub mod alarm;
pub mod answer;
pub mod backup;
pub mod balance;
pub mod bounce;
pub mod compared;
pub mod decide;
pub mod digest;
pub mod file;
pub mod gather;
pub mod inquiry;
pub mod marked;
pub mod news;
mod open;
pub mod pass;
pub mod patience;
pub mod post;
pub mod process;
pub mod publish;
pub mod reach;
pub mod remind;
pub mod restore;
pub mod schedule;
pub mod take;
pub mod templates;
pub mod verify;
