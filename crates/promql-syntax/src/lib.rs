//! PromQL as text: lexer, parser with byte spans, types, printer.
