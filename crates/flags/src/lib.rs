//! Command lines as kingpin reads them, over one table.
