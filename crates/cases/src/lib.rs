//! The table of cases (`tests/cases/README.md`): what Function Fetch does with
//! a request, as data that every host runs.
//!
//! The whole table is interpreted here, once: its members, the placeholders,
//! the exceptions of hosts, the records that a store begins with, and whether
//! the outcome is the expected one. A runner provides a [`Stage`]: a proxy, its
//! upstreams and a clock.

mod behaviour;
mod error;
mod exception;
mod expectation;
mod fields;
mod host;
mod matching;
mod notices;
mod observed;
mod placeholders;
mod plan;
mod record;
mod repository;
mod run;
mod setup;
mod step;
mod table;

pub use behaviour::{Answer, Behaviour, Fault};
pub use error::TableError;
pub use fields::Fields;
pub use host::{HOSTS, has_store};
pub use observed::{Response, Seen};
pub use placeholders::Meanings;
pub use plan::Plan;
pub use repository::repository;
pub use run::{Stage, check_notices, run};
pub use setup::{Setup, SetupError};
pub use step::{Request, Step};
pub use table::{Case, read_all, read_group};
