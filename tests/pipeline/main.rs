//! The whole program without servers: letters lie in Maildirs, answers become files, every step is a command.

#[path = "../office/mod.rs"]
mod office;

mod alarm;
mod backup;
mod bad_input;
mod baseline;
mod breakdown;
mod commands;
mod conduct;
mod copies;
mod crash;
mod cycle;
mod daemon;
mod decoding;
mod desk;
mod headings;
mod held;
mod hold_up;
mod identity;
mod inquiry;
mod known;
mod loops;
mod migrations;
mod news;
mod plans;
mod quarantine;
mod reader;
mod returned;
mod rules;
mod shared;
mod table;
mod upgrade;
mod verify;
mod versions;
