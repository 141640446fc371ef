//! Payload bytes of one direction → application events. Protocols are recognised by content, never by port alone.
