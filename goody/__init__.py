"""The client to Goody's REST API: requests and msgspec, no Django.

`client` holds one method per endpoint, `types` what they answer, `errors` what they raise.
Nothing here knows about users, the database or pages.
"""
