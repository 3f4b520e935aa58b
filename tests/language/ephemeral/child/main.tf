variable "plain" {}

variable "token" {
  ephemeral = true
}
