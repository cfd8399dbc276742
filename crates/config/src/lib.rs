//! prometheus.yml: loaded with spans, resolved, compared, printed back.
