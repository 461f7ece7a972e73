"""AE, Association, events, TLS, servers: the API and the drivers that move its bytes."""
