//! The hosts that run the promises.

use super::environment::checked;
use super::suite::TestHost;

/// One way to run the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `function-fetch serve`, Spin flavour: variables, key-value store, client address.
    Embedded,
    /// `function-fetch serve`, plain WASI flavour.
    EmbeddedPlain,
    /// A real `wasmtime serve`, plain WASI flavour.
    WasmtimeServe,
    /// A real `spin up`, where Spin is installed.
    SpinUp,
    /// `function-fetch serve`, Spin flavour for WASI 0.2. An instance has one request at a time.
    Embedded02,
    /// A real `wasmtime serve`, plain flavour for WASI 0.2. An instance has one request at a time.
    Wasmtime02,
}

/// Every host.
pub const EVERY: &[Host] = &[
    Host::Embedded,
    Host::EmbeddedPlain,
    Host::WasmtimeServe,
    Host::SpinUp,
    Host::Embedded02,
    Host::Wasmtime02,
];

/// The hosts that have a key-value store which outlives an instance.
pub const WITH_STORE: &[Host] = &[Host::Embedded, Host::SpinUp, Host::Embedded02];

/// Those of them whose key-value store in a file times out while another process holds the file. Spin's blocks its
/// whole instance until SQLite's own 5 s are over, and no timer of the component runs meanwhile.
pub const WITH_PATIENT_FILE: &[Host] = &[Host::Embedded, Host::Embedded02];

/// The hosts that report the client's address to the component.
pub const KNOWING_THE_CLIENT: &[Host] = &[Host::Embedded, Host::SpinUp, Host::Embedded02];

/// The hosts whose instances accept a request while they have another, or background work.
pub const CONCURRENT: &[Host] = &[
    Host::Embedded,
    Host::EmbeddedPlain,
    Host::WasmtimeServe,
    Host::SpinUp,
];

/// The embedded host, with either version of WASI.
pub const OURS_OF_ANY_WASI: &[Host] = &[Host::Embedded, Host::EmbeddedPlain, Host::Embedded02];

/// The hosts of the plain WASI flavour.
pub const PLAIN: &[Host] = &[Host::EmbeddedPlain, Host::WasmtimeServe];

/// The embedded host: it can be limited to one instance, among other things.
pub const OURS: &[Host] = &[Host::Embedded, Host::EmbeddedPlain];

/// The embedded host, once: for what depends on the host and not on the flavour.
pub const EMBEDDED: &[Host] = &[Host::Embedded];

impl Host {
    /// Whether it is the embedded host.
    pub const fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Embedded | Self::EmbeddedPlain | Self::Embedded02
        )
    }

    /// Whether it is a WASI 0.2 host: no request gets an instance that already has one.
    pub const fn is_wasi_02(self) -> bool {
        matches!(self, Self::Embedded02 | Self::Wasmtime02)
    }

    /// Whether it reports the client's address and URL to the component.
    pub const fn knows_the_client(self) -> bool {
        matches!(self, Self::Embedded | Self::SpinUp | Self::Embedded02)
    }
}

impl TestHost for Host {
    fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::EmbeddedPlain => "embedded_plain",
            Self::WasmtimeServe => "wasmtime_serve",
            Self::SpinUp => "spin_up",
            Self::Embedded02 => "embedded_02",
            Self::Wasmtime02 => "wasmtime_02",
        }
    }

    fn missing(self) -> Option<&'static str> {
        match self {
            Self::SpinUp if checked().is_ok_and(|e| e.spin.is_none()) => {
                Some("spin is not installed")
            }
            _ => None,
        }
    }
}
