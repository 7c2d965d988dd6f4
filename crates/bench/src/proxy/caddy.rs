//! Caddy.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Front, KEPT_CONNECTIONS, Place};

pub(super) fn command(program: &Path, front: &Front, place: &Place) -> Result<Command> {
    let tls = front
        .authority
        .as_ref()
        .map(|authority| format!("\n      tls_trusted_ca_certs {}", authority.display()));
    let text = format!(
        "{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2 h2c
  }}
}}
http://127.0.0.1:{port} {{
  bind 127.0.0.1
  reverse_proxy {scheme}://{target} {{
    transport http {{
      keepalive_idle_conns {KEPT_CONNECTIONS}
      keepalive_idle_conns_per_host {KEPT_CONNECTIONS}{tls}
    }}
  }}
}}
",
        port = place.port,
        scheme = front.scheme(),
        target = front.targets[0],
        tls = tls.unwrap_or_default(),
    );
    let file = place.write("Caddyfile", &text)?;
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg("--config")
        .arg(file)
        .args(["--adapter", "caddyfile"])
        // It keeps its state there.
        .env("XDG_CONFIG_HOME", place.folder)
        .env("XDG_DATA_HOME", place.folder);
    Ok(command)
}
