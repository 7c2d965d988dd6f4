//! The host's error codes as the engine's failures.

use function_fetch_component::failure_of;
use function_fetch_engine::Failure;
use wasip3::http::types::ErrorCode;

pub fn failure(code: &ErrorCode) -> Failure {
    failure_of!(ErrorCode, code)
}
