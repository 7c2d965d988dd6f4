//! nginx.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Front, KEPT_CONNECTIONS, Place};

/// The beginning of any configuration, up to and into the `http` block: in the foreground, with all files in `folder`.
pub fn preamble(folder: &Path, workers: usize) -> String {
    let folder = folder.display();
    // As root its workers would become another user, who may not read the bench's folder.
    let user = if rustix::process::geteuid().is_root() {
        "user root;\n"
    } else {
        ""
    };
    format!(
        "{user}daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type text/plain;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_buffer_size 128k;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_max_temp_file_size 0;"
    )
}

pub(super) fn command(program: &Path, front: &Front, place: &Place) -> Result<Command> {
    let tls = front.authority.as_ref().map(|authority| {
        format!(
            "
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate {};
      proxy_ssl_name localhost;",
            authority.display()
        )
    });
    let text = format!(
        "{preamble}
  upstream up {{
    server {target};
    keepalive {KEPT_CONNECTIONS};
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port}{http2};
    location / {{
      proxy_pass {scheme}://up;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_request_buffering off;{tls}
    }}
  }}
}}
",
        preamble = preamble(place.folder, place.cores),
        target = front.targets[0],
        port = place.port,
        http2 = if front.http2 { " http2" } else { "" },
        scheme = front.scheme(),
        tls = tls.unwrap_or_default(),
    );
    let file = place.write("nginx.conf", &text)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(file).arg("-p").arg(place.folder);
    Ok(command)
}
