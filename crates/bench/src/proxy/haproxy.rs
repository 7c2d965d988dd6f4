//! HAProxy.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Front, Place};

pub(super) fn command(program: &Path, front: &Front, place: &Place) -> Result<Command> {
    let tls = front.authority.as_ref().map(|authority| {
        format!(
            " ssl verify required ca-file {} verifyhost localhost",
            authority.display()
        )
    });
    let text = format!(
        "global
  maxconn 4000
  nbthread {threads}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:{port}{http2}
  default_backend targets
backend targets
  server upstream {target}{tls}
",
        threads = place.cores,
        port = place.port,
        http2 = if front.http2 { " proto h2" } else { "" },
        target = front.targets[0],
        tls = tls.unwrap_or_default(),
    );
    let file = place.write("haproxy.cfg", &text)?;
    let mut command = Command::new(program);
    // In the foreground.
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}
