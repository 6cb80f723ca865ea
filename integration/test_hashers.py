"""At most one password is hashed at a time in a process."""

from __future__ import annotations

import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password

from goodyadmin.hashers import SerialPBKDF2PasswordHasher


def test_one_password_is_hashed_at_a_time(monkeypatch):
    running, most = [], []
    encode = PBKDF2PasswordHasher.encode

    def watched(*args, **kwargs):
        running.append(1)
        most.append(len(running))
        try:
            return encode(*args, **kwargs)
        finally:
            running.pop()

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", watched)
    hasher = SerialPBKDF2PasswordHasher()
    threads = [threading.Thread(target=hasher.encode, args=("a", "salt")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_the_real_settings_use_that_hasher_and_know_its_hashes():
    hashed = make_password("a", hasher=SerialPBKDF2PasswordHasher())
    assert hashed.startswith("pbkdf2_sha256$")
    assert SerialPBKDF2PasswordHasher().verify("a", hashed)
