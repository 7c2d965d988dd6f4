//! The engine's table of settings, in the two forms in which others read it: the pages of the
//! reference, in English and Chinese, and the JSON Schema of `function-fetch check --schema`.

#![forbid(unsafe_code)]

mod language;
mod reference;
mod schema;
mod texts;

pub use language::Language;
pub use reference::{Error, page};
pub use schema::schema;
