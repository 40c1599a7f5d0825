//! mintwatch: a terminal dashboard for Mintlify agent jobs.
//!
//! # How it is built
//!
//! Data goes one way:
//!
//! ```text
//! config ─▶ poll (schedule decides when) ─▶ mintlify ─▶ Board ─▶ tui · list · wait · watch
//!                                                        └─▶ events ─▶ store ─▶ tui · watch
//! ```
//!
//! - The **config** file lists projects and job ids. Nothing else does: the API has no list.
//! - The **poller**, on a thread of its own, asks the **schedule** which jobs are due, polls them
//!   concurrently through the **mintlify** client, which sends its requests through the hardened
//!   **http** exchange, and puts what it learns on the **board**.
//! - The **board** holds one row for each job: the last good values, when they came, and why the
//!   last poll failed. The poller alone writes it; a `tokio::sync::watch` channel shares it and wakes
//!   its readers. **Events** go to each consumer in a queue of its own, so that none is lost.
//! - The **store** is what earlier runs have left: the board starts with it, and the poller has what
//!   it learns stored on a thread of its own. An event is told once it is stored, so that a crash
//!   loses none that was shown; a fault of the store delays it, and keeps no poll waiting.
//!   `list --offline`, `history`, `ack` and `statusline` work on the store alone.
//! - **Actions** are what a person asks for that writes: a new job, a follow-up, which jobs are
//!   watched. The dashboard and the verbs both act through them.
//! - The **view** says how rows are presented (columns, order, filter, theme), for the dashboard and `list` alike.
//! - **GitHub** tells what became of a pull request, with a **token** that goes to no other host. Today
//!   `doctor` asks it, for one.
//! - The **faces** read the board: the dashboard (`tui`) and the verbs (`cli`). They ask the poller
//!   for polls out of turn, and never touch the network themselves. A **session** is what both run
//!   on: the config, its keys, a poller, and the reload of a changed config.
//! - The **demo** is a simulated API behind a real HTTP server, so that nothing else has to know
//!   that it is one.
//!
//! To follow one reply from the network to a painted cell, read `http::Client::exchange`,
//! `mintlify::Client::get_job`, `poll::engine`, `Board::apply`, `tui::run`, `App::on_board`,
//! `tui::table` and `view::columns`. To follow a change to the list of changes, read
//! `poll::engine::remember`, `store::thread`, `Database::store` and `App::on_event`. To follow `mintwatch add` to the disk, read `cli::add`,
//! `Actions::add`, `config::edit` and `config::edit_file`.
//!
//! # Layers
//!
//! A file imports only from the layers above it, or from earlier files of its own. A test
//! (`tests/layers.rs`) reads this table and keeps it true.
//!
//! | layer | files |
//! | --- | --- |
//! | values | `exit` `text` `time` `link` `pull_request` `job` `progress` `event` `base_url` `failure` `secret` |
//! | settings | `private_file` `config` `environment` `credential` `key` `token` |
//! | edges | `http` `json` `mintlify` `github` `store` `desktop` `process` |
//! | state | `board` |
//! | engine | `poll` `actions` |
//! | view | `view` |
//! | faces | `tui` `demo` |
//! | entry | `session` `cli` `main` |
//!
//! # Rules
//!
//! One owner for each fact: the poller owns the board, the dashboard's state owns what is on the
//! screen. Time is an argument: only the loops and the poller read clocks. Text from outside is
//! cleaned once, where it enters. The loops sleep until there is something to do.

pub mod actions;
pub mod base_url;
pub mod board;
pub mod cli;
pub mod config;
pub mod credential;
pub mod demo;
pub mod desktop;
pub mod environment;
pub mod event;
pub mod exit;
pub mod failure;
pub mod github;
pub mod http;
pub mod job;
mod json;
pub mod key;
pub mod link;
pub mod mintlify;
pub mod poll;
pub mod private_file;
pub mod process;
pub mod progress;
pub mod pull_request;
mod secret;
pub mod session;
pub mod store;
pub mod text;
pub mod time;
pub mod token;
pub mod tui;
pub mod view;
