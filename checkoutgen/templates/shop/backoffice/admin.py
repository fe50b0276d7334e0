from django.contrib import admin
from django_otp.plugins.otp_totp.models import TOTPDevice

# Nobody but its owner has to do with an app: `manage.py reset_second_factor` takes it from somebody who lost it.
admin.site.unregister(TOTPDevice)
