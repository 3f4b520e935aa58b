variable "x" {}

resource "terraform_data" "a" {}

resource "terraform_data" "keyed" {
  for_each = { k = 1 }
}

import {}

import {
  to = terraform_data.a
}

import {
  id = "x"
}

import {
  to       = terraform_data.a
  id       = "x"
  identity = {}
}

import {
  to = data.aws_region.x
  id = "x"
}

import {
  to = module.m
  id = "x"
}

import {
  to = "terraform_data.a"
  id = "x"
}

import {
  to = terraform_data.a.id
  id = "x"
}

import {
  to      = terraform_data.a
  id      = "x"
  provder = aws
}

import "label" {
  to = terraform_data.a
  id = "x"
}
