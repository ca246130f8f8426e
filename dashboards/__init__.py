"""What people look at: the control-room page, served by the gateway's API, and its setting-up."""
