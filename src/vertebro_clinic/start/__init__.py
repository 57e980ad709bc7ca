"""Starting the clinic: migrate, first administrator, web and worker, the demo. The top layer."""
