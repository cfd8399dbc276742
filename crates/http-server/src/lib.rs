//! The listener: routes in, compressed responses out, limits against slow clients.
