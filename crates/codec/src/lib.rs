//! Bit streams, varints, CRC-32C and the byte cursor every binary format is read with.
