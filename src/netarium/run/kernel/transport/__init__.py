"""Transport protocols: connections, UDP, and TCP from handshake to loss recovery."""
