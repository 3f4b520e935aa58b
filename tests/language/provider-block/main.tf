provider "aws" {
  alias   = "1west"
  version = "~> 5.0"
}

provider "aws" {
  alias  = var.region
  region = "us-east-1"
}

provider "aws" {
  alias      = "reserved"
  count      = 2
  depends_on = []
  source     = "x"

  lifecycle {}

  locals {}
}

provider "aws" {
  for_each = toset(["a"])
}

provider "AWS-" {}

provider "kubernetes" {}

provider "kubernetes" {}

provider "kubernetes" {
  alias = "a"
}

provider "kubernetes" {
  alias = "a"
}
