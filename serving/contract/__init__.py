"""What clients are promised, as OpenAPI says it: answers, errors, events, examples.

Routes name what they promise from here; nothing here runs while a request is answered.
"""
