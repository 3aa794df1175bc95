"""What strangers and bad input may not do. Each test fails on a hub that lets them; see docs/security.md."""
