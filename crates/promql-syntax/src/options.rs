//! Which experimental parts of the language are allowed.

/// Feature switches of the parser. The default is a server started without `--enable-feature`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `promql-experimental-functions`: experimental functions, `limitk`, `limit_ratio`.
    pub experimental_functions: bool,
    /// Arithmetic in durations: `[5m * 2]`.
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left`, `fill_right`.
    pub fill_modifiers: bool,
}

impl Options {
    /// Everything on.
    pub const ALL: Options = Options {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
    };
}

impl Default for Options {
    fn default() -> Options {
        Options {
            experimental_functions: false,
            duration_expressions: true,
            extended_range_selectors: false,
            fill_modifiers: false,
        }
    }
}
