//! Request methods by their names.

/// The name of a method, whichever version's `Method` it is:
/// `method_name!(Method, method)`.
#[macro_export]
macro_rules! method_name {
    ($Method:ident, $method:expr) => {
        match $method {
            $Method::Get => "GET",
            $Method::Head => "HEAD",
            $Method::Post => "POST",
            $Method::Put => "PUT",
            $Method::Delete => "DELETE",
            $Method::Connect => "CONNECT",
            $Method::Options => "OPTIONS",
            $Method::Trace => "TRACE",
            $Method::Patch => "PATCH",
            $Method::Other(name) => name,
        }
    };
}
