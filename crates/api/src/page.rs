//! The plain page: CPU and memory of the scraped machines, as this server has them.
//!
//! Three files without a build step. The policy allows scripts and styles of this origin alone.

use http_server::{Response, StatusCode};

use crate::envelope::Reply;
use crate::{Api, ApiError, Call};

const PAGE: &str = include_str!("../page/page.html");
const SCRIPT: &str = include_str!("../page/page.js");
const STYLE: &str = include_str!("../page/page.css");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub(crate) fn home(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let options = &api.context.options;
    let page = PAGE
        .replace("{{title}}", &escape(&options.page_title))
        .replace("{{prefix}}", &escape(&options.route_prefix))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"));
    let response = Response::new(StatusCode::OK, "text/html; charset=utf-8", page)
        .with_header("content-security-policy", POLICY)
        .with_header("x-content-type-options", "nosniff")
        .with_header("referrer-policy", "no-referrer");
    Ok(Reply::Raw(response))
}

pub(crate) fn script(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::Raw(Response::new(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT)))
}

pub(crate) fn style(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::Raw(Response::new(StatusCode::OK, "text/css; charset=utf-8", STYLE)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
