from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """The answer to a POST: the browser fetches the next page by GET, so Reload and Back send nothing twice."""

    status_code = 303
