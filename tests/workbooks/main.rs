//! Workbooks of every kind that an office can send: made here, read by the program, compared with what was known.

mod columns;
mod corpus;
mod formats;
mod hostile;
mod known;
mod law;
mod layout;
mod page;
mod render;
mod spelling;
