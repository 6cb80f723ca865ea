"""Tests of the vendor client, against real sockets that misbehave."""
