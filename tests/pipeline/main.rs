//! The whole program without servers: letters lie in Maildirs, answers become files, every step is a command.

#[path = "../office/mod.rs"]
mod office;

mod alarm;
mod backup;
mod bad_input;
mod breakdown;
mod commands;
mod copies;
mod crash;
mod cycle;
mod daemon;
mod decoding;
mod desk;
mod headings;
mod hold_up;
mod inquiry;
mod loops;
mod migrations;
mod news;
mod quarantine;
mod reader;
mod returned;
mod table;
mod upgrade;
mod verify;
mod versions;
