//! Go's float maths and number printing, bit for bit where it can be.
