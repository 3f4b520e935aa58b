provider "aws" {
  regoin     = "us-east-1"
  access_key = ["a"]

  default_tag {
    tags = {}
  }
}

provider "kubernetes" {
  host = null

  exec {
    command = "aws"
  }

  exec {
    command = "aws"
  }
}
