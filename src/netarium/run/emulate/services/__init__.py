"""Programs that play request_response services on real hosts; standard library only, run by file name."""
