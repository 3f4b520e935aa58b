name          = "web"
instance_type = "t3.small"
n             = 3
