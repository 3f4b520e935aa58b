terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      sorce   = "hashicorp/aws"
      version = 5
    }
    random     = ["x"]
    null       = { version = var.v }
    Upper      = { source = "hashicorp/upper" }
    empty      = { source = "" }
    many       = { source = "a/b/c/d" }
    slash      = { source = "hashicorp/" }
    aliases    = { source = "x/y", configuration_aliases = "x.a" }
    aliases2   = { source = "x/y", configuration_aliases = [aliases2.a.b, other.c, "aliases2.d", 1] }
    constraint = { version = "not a version" }
    legacy     = "also not one"

    block {}
  }
}
