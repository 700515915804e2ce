"""Tests of the Linux guest: real boots where Debian's packages can be had, and clients that misbehave."""
