//! The whole program without servers: letters lie in Maildirs, answers become files, every step is a command.

#[path = "../office/mod.rs"]
mod office;

mod bad_input;
mod breakdown;
mod commands;
mod crash;
mod cycle;
mod daemon;
mod decoding;
mod desk;
mod headings;
mod migrations;
mod quarantine;
mod reader;
mod returned;
mod table;
mod versions;
