//! What others send: remote write 1.0.

use http_server::StatusCode;
use remote::ErrorClass;

use crate::api::plain_error;
use crate::envelope::Reply;
use crate::{Api, ApiError, Call};

pub(crate) fn remote_write(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    if !api.context.options.remote_write_receiver {
        let text = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n";
        return Ok(plain(StatusCode::NOT_FOUND, text));
    }
    let header = |name| call.request.header(name).unwrap_or("");
    if let Err(why) = remote::check_head(header("content-type"), header("content-encoding")) {
        return Ok(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, &format!("{why}\n")));
    }
    match api.receiver.write(&call.request.body, api.context.clock.now_ms()) {
        Ok(_) => Ok(Reply::Nothing),
        Err(why) => {
            let status = match why.class() {
                ErrorClass::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                ErrorClass::BadRequest => StatusCode::BAD_REQUEST,
                ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorClass::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Ok(plain(status, &format!("{why}\n")))
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Reply {
    Reply::Raw(plain_error(status, text))
}
