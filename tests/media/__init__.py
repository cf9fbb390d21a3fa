"""Tests of media: uploads, processing, stores, serving, and requests to other servers."""
