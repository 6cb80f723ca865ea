"""A client for Goody's REST API, built on requests and msgspec, without Django.

`client` has one method for each endpoint, `types` the objects they return, `errors` the
exceptions they raise.
"""
