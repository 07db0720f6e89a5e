//! Integration tests: the program, run as a user runs it, with the real things around it.

mod cluster;
mod figures;
mod gate;
mod golden;
mod pooler;
mod rows;
mod sandbox;
mod sql;
mod web;
mod wrapped;

mod browser;
mod cli;
mod clocks;
mod database_away;
mod differential;
mod first_build;
mod golden_site;
mod hidden;
mod hostile;
mod init_db;
mod nginx;
mod one_statement;
mod outputs;
mod planted_secrets;
mod publishing;
mod readers;
mod secrets;
mod signals;
mod state_directory;
mod templates;
mod tls;
mod verdicts;
