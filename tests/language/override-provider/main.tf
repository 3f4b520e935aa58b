provider "aws" {
  region     = "us-east-1"
  access_key = "a"
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"
}
