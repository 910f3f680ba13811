package service

// What tests call.
var Sweep = (*Service).sweep
