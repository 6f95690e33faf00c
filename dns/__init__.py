# dnspython's package is called dns too, and libraries import its modules by that name. Both folders make up one
# package, dnspython's first; so no module here may bear the name of one of dnspython's.
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)[::-1]
