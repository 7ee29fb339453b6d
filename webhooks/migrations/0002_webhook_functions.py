from django.db import migrations


class Migration(migrations.Migration):
    """Installed functions once; they are in webhooks/sql now."""

    dependencies = [('webhooks', '0001_endpoints_events_deliveries'), ('accounts', '0004_client_public_id')]

    operations = []
