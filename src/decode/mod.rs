//! One frame as far as it goes: link, network, transport. Any bytes in, values out.
